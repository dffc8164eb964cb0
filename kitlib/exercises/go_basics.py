"""Exercises of 1-go-basics: the learner writes Go in cells; the checks build it, run it, and test what it does."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kitlib.errors import GoFailed
from kitlib.exercises.base import NOT_ATTEMPTED, Exercise, Outcome, failed, passed
from kitlib.golang import service, toolchain
from kitlib.golang.workspace import Cell, Module
from kitlib.measure.golang import gobinary

CHAPTER = "1-go-basics"
SECONDS = 8.0


class _Written(Exercise):
    """An exercise whose answer is a package below `exercises/` in the chapter's module, written by a %%go cell."""

    language = "go"
    package: str
    given_text: str  # the cell to begin with

    @property
    def module(self) -> Module:
        """The chapter's Go module."""
        return Module.at(CHAPTER)

    def given(self) -> Any:
        """The cell to begin with."""
        from IPython.display import Markdown

        return Markdown(f"```go\n{self.given_text}```")

    def check(self) -> Outcome:
        """Find the package, then judge it; an error of the compiler or the program fails the check."""
        if not (self.module.folder / self.package).exists():
            return NOT_ATTEMPTED
        try:
            return self.judge()
        except GoFailed as e:
            return failed(e.message, *e.observed, look="run the cell, and fix the compiler's first error")

    @abstractmethod
    def judge(self) -> Outcome:
        """Build the answer and test what it does."""

    def reset(self) -> None:
        """Remove the package from the module."""
        self.module.remove(self.package)


class Lines(_Written):
    """File descriptors: a deferred call in a loop runs only at the end of the function."""

    name = f"{CHAPTER}/lines"
    package = "exercises/lines"
    files, limit = 300, 64
    task = (
        "`.given()` shows a program that counts the lines of all `*.txt` files in its folder. Change it so that it also works with more "
        f"files than it may have open at a time. The check has {files} files, and a limit of {limit} open files. "
        "Write the program in a cell that begins like the given one."
    )
    hints = (
        "When do the deferred calls of a loop run: at the end of each round, or at the end of the function?",
        "All files stay open until the function ends. Write a separate function for the work on one file. Its deferred "
        "call closes the file when this function ends.",
        "Write `func count(name string) (int, error)` with `os.Open`, `defer file.Close()` and the scanner in it. "
        "`main` calls it for each name, and ends with `log.Fatal` on an error.",
    )
    given_text = """\
%%go exercises/lines --import bufio,fmt,log,os,path/filepath
func main() {
	names, _ := filepath.Glob("*.txt")
	total := 0
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			total++
		}
	}
	fmt.Println(total)
}
"""
    solution_text = """\
%%go exercises/lines --import bufio,fmt,log,os,path/filepath
func count(name string) (total int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		total++
	}
	return total, lines.Err()
}

func main() {
	names, _ := filepath.Glob("*.txt")
	total := 0
	for _, name := range names {
		lines, err := count(name)
		if err != nil {
			log.Fatal(err)
		}
		total += lines
	}
	fmt.Println(total)
}
"""

    def judge(self) -> Outcome:
        """Run the program with more files than it may have open, and compare its result with the correct number of lines."""
        program = toolchain.build(self.module, self.package)
        with TemporaryDirectory() as folder:
            wanted = _write_lines(Path(folder), self.files)
            limited = 'cd "$1" && ulimit -n "$2" && exec "$0"'
            try:
                said = toolchain.run(
                    self.module,
                    Path("/bin/sh"),
                    ["-c", limited, program, folder, str(self.limit)],
                    timeout=SECONDS,
                )
            except GoFailed as e:
                return failed(*e.observed[-3:], look="the open files: when does the program close each of them?")
        if said.strip() != str(wanted):
            return failed(
                f"the {self.files} files have {wanted} lines, but the program printed: {said.strip()[:80]}",
                look="the errors: if a file cannot be opened, the program must not continue without a message",
            )
        return passed(f"{self.files} files with {wanted} lines, counted with {self.limit} file descriptors")


def _write_lines(folder: Path, files: int) -> int:
    """Write files with 1 to 7 lines each, and return the number of all lines."""
    counts = [1 + i % 7 for i in range(files)]
    for i, count in enumerate(counts):
        (folder / f"{i:03}.txt").write_text("a line\n" * count)
    return sum(counts)


class First(_Written):
    """Goroutines that stay behind when the function has returned."""

    name = f"{CHAPTER}/first"
    package = "exercises/first"
    task = (
        "`.given()` shows a function that asks several servers at once and returns the first answer. It leaves goroutines behind. Fix it: "
        "after the first answer, the function must stop the other servers, and every goroutine must end."
    )
    hints = (
        "Which goroutines still wait when the function has returned, and what do they wait for?",
        "There are two kinds: servers that get no signal to stop, and goroutines that send an answer to a channel "
        "without a receiver.",
        "Make a context with `context.WithCancel`, call `defer cancel()`, and pass the context to every server. Make the "
        "channel with room for `len(servers)` answers.",
    )
    given_text = """\
%%go exercises/first/first.go
package first

import "context"

// First asks all servers at once and returns the answer that comes first.
func First(ctx context.Context, servers []func(context.Context) string) string {
	answers := make(chan string)
	for _, server := range servers {
		go func() { answers <- server(ctx) }()
	}
	return <-answers
}
"""
    solution_text = """\
%%go exercises/first/first.go
package first

import "context"

// First asks all servers at once and returns the answer that comes first.
func First(ctx context.Context, servers []func(context.Context) string) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan string, len(servers))
	for _, server := range servers {
		go func() { answers <- server(ctx) }()
	}
	return <-answers
}
"""

    def judge(self) -> Outcome:
        """Call the function many times: it must return the quick server's answer, and leave no server or goroutine running."""
        toolchain.compiles(self.module, self.package)
        found = self._tried()
        saw = "{right} of {calls} calls returned the quick server's answer".format(**found)
        if found["right"] < found["calls"]:
            return failed(
                saw, look="are all servers asked at the same time? Two of the three answer only when their context ends"
            )
        if found["serving"]:
            return failed(
                saw,
                f"afterwards, {found['serving']} servers were still running",
                look="the context that the servers get: is it cancelled after the first answer?",
            )
        if found["goroutines"]:
            return failed(
                saw,
                f"all servers had stopped, but {found['goroutines']} goroutines were left",
                look="the channel: does it have room for the answers that the function does not receive?",
            )
        return passed(saw, "afterwards, no server was running and no goroutine was left")

    def _tried(self) -> dict[str, Any]:
        """Compile the answer together with kitlib/measure/golang/go/crowd, which calls it; return the counts of crowd."""
        harness = f"{self.package}_check"
        self.module.write(f"{harness}/crowd/crowd.go", (gobinary.FOLDER / "crowd" / "crowd.go").read_text())
        paths = [f"{self.module.path}/{self.package}", f"{self.module.path}/{harness}/crowd"]
        body = "func main() { crowd.Try(first.First) }\n"
        self.module.write(f"{harness}/main.go", Cell(f"{harness}/main.go", "", body, tuple(paths)).text)
        try:
            said = toolchain.run(self.module, toolchain.build(self.module, harness), timeout=SECONDS)
        finally:
            self.module.remove(harness)
        found: dict[str, Any] = json.loads(said.splitlines()[-1])
        return found


class Shop(_Written):
    """A service that answers with JSON."""

    name = f"{CHAPTER}/shop"
    package = "exercises/shop"
    task = (
        "Serve two items over HTTP: tea for 3 and coffee for 5. `GET /items/tea` returns a JSON object with the `name` and `price` of "
        "tea, as `application/json`. Any other item returns 404, with a JSON object that has an `error`. Other methods return 405. "
        "Your program must listen on a free port of 127.0.0.1 and print its address first, like the given one."
    )
    hints = (
        "The program of `.given()` already listens. What must it answer for a known item, for an unknown item, and for "
        "another method?",
        "A pattern of the mux can begin with a method and contain `{name}` in its path. Then the mux itself answers 405.",
        'Call `mux.HandleFunc("GET /items/{name}", show)`. In `show`, `r.PathValue("name")` is the item. Set `Content-Type` '
        'before `WriteHeader(404)`, and encode a struct with the tags `json:"name"` and `json:"price"`.',
    )
    given_text = """\
%%go exercises/shop/main.go --import fmt,log,net,net/http
func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\\n", listener.Addr())
	mux := http.NewServeMux()
	log.Fatal(http.Serve(listener, mux))
}
"""
    solution_text = """\
%%go exercises/shop/main.go --import encoding/json,fmt,log,net,net/http
type item struct {
	Name  string `json:"name"`
	Price int    `json:"price"`
}

var prices = map[string]int{"tea": 3, "coffee": 5}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func show(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	price, ok := prices[name]
	if !ok {
		answer(w, http.StatusNotFound, map[string]string{"error": "there is no " + name})
		return
	}
	answer(w, http.StatusOK, item{name, price})
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\\n", listener.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{name}", show)
	log.Fatal(http.Serve(listener, mux))
}
"""

    def judge(self) -> Outcome:
        """Request a known item, an unknown item, and one by POST, and compare the answers with the task."""
        with service.serving(self.module, self.package) as address:
            tea, cocoa = (service.ask(address, f"/items/{name}") for name in ("tea", "cocoa"))
            posted = service.ask(address, "/items/tea", method="POST")
        saw = [f"GET tea: {_words(tea)}", f"GET cocoa: {_words(cocoa)}", f"POST tea: {posted.status}"]
        if tea != service.Answer(200, "application/json", {"name": "tea", "price": 3}):
            return failed(saw[0], look="the status, the Content-Type, and the struct tags: they name the JSON fields")
        if cocoa.status != 404 or not isinstance(cocoa.body, dict) or "error" not in cocoa.body:
            return failed(saw[1], look="the handler: what does it answer for an unknown name?")
        if posted.status != 405:
            return failed(saw[2], look="the pattern of the mux: it can begin with a method")
        return passed(*saw)


def _words(answer: service.Answer) -> str:
    return f"{answer.status} {answer.type} {str(answer.body).strip()[:120]}"
