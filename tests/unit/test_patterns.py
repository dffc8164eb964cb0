"""The forms in which programs, registries, databases, clouds and their command lines print secrets: exactly the secret is masked."""

from __future__ import annotations

import time

import pytest

from kitlib.masking import redact
from kitlib.masking.patterns import MASK

PASSWORD = "S3cretPw9"  # noqa: S105  (of nothing)

# § stands for the secret, here and in what is left of it.
FORMS = {
    "go": [
        "{User:x Password:§ Token:§}",
        "&{User:x Password:§}",
        "{DB:{Host:h Password:§ Port:5432} Token:§ Debug:true}",
        "&{Name:a Auth:{User:u Pass:§} Next:0xc000012345}",
        "map[password:§]",
        "map[host:db password:§ port:5432]",
        "map[db:map[password:§ user:x] mode:fast]",
        "[{Name:a Token:§} {Name:b Token:§}]",
        'main.Config{User:"x", Password:"§"}',
        '&main.Config{Password:"§", Port:5432}',
        'map[string]string{"password":"§"}',
        'map[string]interface {}{"db":map[string]interface {}{"password":"§"}}',
        '[]string{"PATH=/bin", "TOKEN=§"}',
        "[PATH=/bin TOKEN=§ HOME=/root]",
        "{Env:[PATH=/bin DB_PASSWORD=§]}",
        "{User:x Password:§ with blanks Port:1}".replace("§ with blanks", "§"),
        "{Name:DB_PASSWORD Value:§ ValueFrom:nil}",
        'EnvVar{Name:"DB_PASSWORD", Value:"§"}',
        "2026/11/28 10:00:00 config: {User:x Password:§}",
        "panic: bad config {Password:§}",
        "map[Authorization:[Bearer §] Accept:[*/*]]",
        'http.Header{"Authorization":[]string{"Bearer §"}}',
    ],
    "logs": [
        "time=2026-11-28T10:00:00Z level=INFO msg=login user=x password=§ ok=true",
        'level=INFO msg="a b" password="§" ok=true',
        '{"time":"2026-11-28T10:00:00Z","level":"INFO","msg":"login","password":"§","db":{"token":"§"}}',
        '{"level":"info","ts":1.7,"caller":"a.go:1","msg":"x","apiKey":"§"}',
        'INFO login {"password": "§"}',
        "login failed for x with password=§, retrying",
        "user:x password:§ host:db",
        "user: x password: § host: db",
    ],
    "python": [
        "Config(user='x', password='§', port=1)",
        "{'user': 'x', 'password': '§'}",
        "{'password': b'§'}",
        "('password', '§')",
        "environ({'DB_PASSWORD': '§', 'HOME': '/root'})",
        "Namespace(password='§', user='x')",
        "os.environ['DB_PASSWORD'] = '§'",
        'password: str = "§"',
    ],
    "files": [
        "DB_PASSWORD=§",
        "DB_PASS=§",
        'export DB_PASSWORD="§"',
        "db.password=§\ndb.user=x",
        "spring.datasource.password: §",
        'password = "§"\nuser = "x"',
        "password = '§'",
        "[db]\nuser = x\npassword = §\n",
        "db:\n  password: §\n  user: x",
        'db:\n  password: "§"\n',
        "db:\n  password: |\n    §\n  user: x",
        "db:\n  password: >-\n    §\n",
        "db: {user: x, password: §}",
        '{"pass":"§"}',
        '{"user":"x","passwd":"§","n":1}',
        "<password>§</password>",
        '<add key="Password" value="§" />',
        '<property name="connection.password">§</property>',
        'variable "db_password" {\n  default = "§"\n}',
        'resource "x" "y" {\n  admin_password = "§"\n}',
        "machine host login x password §",
        "//registry.example.com/:_authToken=§",
        '_auth = "§"',
        "[pypi]\nusername = __token__\npassword = §",
        "requirepass §",
        "# comment\nmasterauth §",
        '{"auths":{"r":{"username":"u","password":"§"}}}',
        "password: §  # rotated",
        "'secret_key' => 'sk_§', 'public_key' => 'pk'".replace("sk_", ""),
    ],
    "command lines": [
        "curl -u u:§ https://host/x",
        "curl -su 'u:§' https://host/x",
        'curl --user "u:§" https://host/x',
        "curl --user=u:§ https://host/x",
        "curl -x proxy:3128 --proxy-user u:§ https://host",
        "curl -H 'Authorization: Bearer §' https://host",
        "curl -H 'X-Api-Key: §' https://host",
        "curl -d 'user=x&password=§' https://host",
        'curl -d \'{"password":"§"}\' https://host',
        "wget --user=u --password=§ https://host",
        "mysql -u root -p§ shop",
        "mysqldump -h db -uroot -p'§' shop",
        "mysql --password=§ shop",
        "MYSQL_PWD=§ mysql shop",
        "PGPASSWORD=§ psql -h db",
        "psql postgres://u:§@db/shop",
        "psql \"host=db user=u password='§' dbname=shop\"",
        "redis-cli -h r -a § ping",
        "REDISCLI_AUTH=§ redis-cli",
        "redis-cli -u redis://:§@r:6379/0",
        "mongosh -u root -p § --host m",
        "sqlcmd -S db -U sa -P § -Q x",
        "ldapsearch -D cn=admin -w § -b dc=x",
        "docker login -u x -p § registry",
        "docker login --username x --password § registry",
        "docker login --password=§ registry",
        "echo § | docker login -u x --password-stdin registry",
        "helm registry login r -u x -p §",
        "crane auth login r -u x -p §",
        "skopeo copy --src-creds u:§ docker://a docker://b",
        "helm install x y --set auth.password=§ --set auth.user=x",
        "helm install x y --set auth.rootPassword=§,auth.user=x",
        "kubectl create secret generic s --from-literal=k=§",
        "kubectl create secret generic s --from-literal k='§' --from-literal=password=§",
        "kubectl create secret docker-registry s --docker-username=x --docker-password=§",
        "kubectl config set-credentials x --token=§",
        "kubectl config set-credentials x --username=x --password=§",
        "kubectl --token § get pods",
        "kubeadm join 10.0.0.1:6443 --token § --discovery-token-ca-cert-hash sha256:0123456789abcdef",
        "kubeadm init --certificate-key §",
        "vault login §",
        "VAULT_TOKEN=§ vault status",
        "vault kv put secret/app user=§ password=§",
        "aws configure set aws_secret_access_key §",
        "npm config set //r/:_authToken §",
        "sshpass -p § ssh x@host",
        "sshpass -p'§' ssh x@host",
        "htpasswd -nbB x §",
        "openssl rsa -in k -passin pass:§",
        "keytool -list -storepass § -keystore k",
        "ssh-keygen -f k -N '§'",
        "echo 'root:§' | chpasswd",
        "rabbitmqctl add_user x §",
        "etcdctl --user root:§ get x",
        "mc alias set m http://m:9000 x §",
        "az storage blob list --account-key §",
        "gh auth login --with-token §",
        "java -Djavax.net.ssl.keyStorePassword=§ -jar a.jar",
        "docker run -e POSTGRES_PASSWORD=§ postgres",
        "docker run --env 'POSTGRES_PASSWORD=§' postgres",
    ],
    "addresses": [
        "postgres://u:§@db:5432/shop",
        "postgresql+psycopg2://u:§@db/shop",
        "mongodb+srv://u:§@c.example.com/shop?retryWrites=true",
        "mongodb://u:§@a:27017,b:27017/shop",
        "amqp://u:§@mq:5672/",
        "redis://:§@r:6379/0",
        "rediss://default:§@r:6379",
        "sqlserver://u:§@db:1433?database=shop",
        "sqlserver://db:1433?user=u&password=§&database=shop",
        "https://u:§@host/x.git",
        "https://§@host/x".replace("§", "ghp_TOKENabc"),
        "root:§@tcp(db:3306)/shop?parseTime=true",
        "root:§@unix(/run/mysqld.sock)/shop",
        "root:§@/shop",
        "dsn=root:§@tcp(db:3306)/shop",
        "jdbc:sqlserver://db:1433;databaseName=shop;user=u;password=§;encrypt=true",
        "jdbc:postgresql://db/shop?user=u&password=§",
        "jdbc:oracle:thin:scott/§@db:1521:x",
        "host=db user=u password='§' dbname=shop",
        "host=db user=u password=§ dbname=shop sslmode=disable",
        "Driver={ODBC Driver 18 for SQL Server};Server=db;Uid=u;Pwd=§;Encrypt=yes",
        "Server=db;User Id=u;Password=§;",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=§;EndpointSuffix=core.windows.net",
        "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=§",
        "http://host/x?access_token=§&n=1",
        "http://host/x?api_key=§",
        "smtp://u:§@mail:587",
        "SENTRY_DSN=https://u:§@sentry/1",
        "https://0123abcd:§@gems.contribsys.com/",
    ],
    "headers": [
        "Authorization: Basic §",
        "Authorization: Bearer §",
        "authorization: token §",
        "Proxy-Authorization: Basic §",
        '"Authorization": "Bearer §"',
        "> X-Api-Key: §",
        "X-Auth-Token: §",
        "X-Vault-Token: §",
        "PRIVATE-TOKEN: §",
        "Cookie: session=§; theme=§",
        "Set-Cookie: sid=§; Path=/; HttpOnly",
        "< Set-Cookie: sid=§; Path=/; HttpOnly",
        'Authorization: Digest username="x", realm="r", response="§"',
    ],
    "clouds": [
        "aws_secret_access_key = §",
        "AWS_SECRET_ACCESS_KEY=§",
        '"SecretAccessKey": "§"',
        '"SessionToken": "§"',
        "AWS_SESSION_TOKEN=§",
        '"private_key": "§"',
        '"private_key_id": "0123", "client_secret": "§"',
        "AZURE_CLIENT_SECRET=§",
        "GITHUB_TOKEN=§",
        "SLACK_BOT_TOKEN=§",
    ],
    "databases": [
        "CREATE USER x WITH PASSWORD '§';",
        "CREATE USER 'x'@'%' IDENTIFIED BY '§';",
        "ALTER ROLE x ENCRYPTED PASSWORD '§';",
        "CONFIG SET requirepass §",
    ],
    "kubernetes": [
        "    DB_PASSWORD:  §",
        "env:\n- name: API_TOKEN\n  value: §\n",
        '{"data":{"password":"§"}}',
        "map[password:§ user:eA==]",
        '      {"name": "API_TOKEN", "value": "§"}',
        "kind: Secret\nstringData:\n  plain: §\n",
        ".dockerconfigjson: §",
        "a token in base64: §",
    ],
}
CASES = [(family, form) for family, forms in FORMS.items() for form in forms]


def secret_for(form: str) -> str:
    """A secret of the kind that fits: a bootstrap token, a base64 text of a login or a plain password."""
    if "kubeadm join" in form:
        return "abcdef.0123456789abcdef"
    if "token in base64" in form:
        return "ZXlKaGJHY2lPaUpTVXpJMU5pSXNJbXRwWkNJNkluZ2lmUS5leUpwYzNNaU9pSnJkV0psY201bGRHVnpJbjAu"
    if "dockerconfigjson" in form or "_auth =" in form:
        return "eyJhdXRocyI6eyJyIjp7ImF1dGgiOiJkVHB3In19fQ=="
    return PASSWORD


@pytest.mark.parametrize(("family", "form"), CASES)
def test_a_form_of_secret_is_masked_and_nothing_else(family: str, form: str) -> None:
    """Of each form the secret goes, in full, and every other character stays."""
    text = form.replace("§", secret_for(form))

    assert redact.mask(text) == form.replace("§", MASK).replace("ghp_TOKENabc", MASK), family


@pytest.mark.parametrize(("family", "form"), CASES)
def test_a_masked_form_stays_as_it_is(family: str, form: str) -> None:
    """What was masked once is not masked again."""
    once = redact.mask(form.replace("§", secret_for(form)))

    assert redact.mask(once) == once, family


HARMLESS = [
    "secretName: registry-credentials",
    "imagePullSecrets:\n- name: registry-credentials\n",
    'token: ""',
    "passwordFrom:\n  secretKeyRef: {name: app, key: password}",
    "tokenRef: app",
    "secret: app",
    '"secret": {"secretName": "app", "defaultMode": 420}',
    "pass: true",
    '"pass": true, "passed": 12, "bypass": "all"',
    "PASS\nok  \tgoapp\t0.012s\n--- PASS: TestLogin (0.00s)\n    --- PASS: TestLogin/with_password123 (0.00s)",
    "PASS: 12, FAIL: 0",
    "pass=12 fail=0",
    "pass_rate: 0.98765432",
    "author: Ada Lovelace1815",
    "token_type: bearer",
    '{"token_type": "bearer", "expires_in": 3600}',
    "secret/app configured",
    "secret/app-5f6d8b9c7d created",
    "password must not be empty",
    "password: must not be empty",
    "Password: it is required, and must have at least 8 characters",
    "Token expired",
    "error: token has expired at 2026-11-28T10:00:00Z",
    "the password is kept in config.json",
    "Set the password with --password or the environment's DB_PASSWORD.",
    "use --token to sign in, --password and --user are deprecated",
    "h1:PmEvCfVI7ti9dV3s5aMZUY7sS2GxRvG3yzih7E+cS3w=",
    "github.com/x/y v1.2.3/go.mod h1:rTDwxRjufMKAkhTI/Mijd07nday1yOhf9qywjwz5Irw=",
    "uid: 3f786850-e387-550f-dab8-36ed7e6dc881",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
    "commit 5f1685a1c3e7d2b4a6f8091b2c3d4e5f60718293",
    "pod/goapp-5f6d8b9c7d-x2x4z 1/1 Running 0 12s",
    "kubectl create secret generic app --from-file=password=./password.txt",
    "kubectl get secret app -o yaml",
    "Mounts: /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-x2x4z (ro)",
    "      DB_PASSWORD:  <set to the key 'password' in secret 'app'>  Optional: false",
    "password: ((db.password))",
    "DB_PASSWORD_FILE=/run/secrets/db-password",
    "key: value",
    "primary_key: id12345678",
    "kind: Secret\nmetadata: {name: app}\ntype: Opaque\n",
    "{Name:app Namespace:default ResourceVersion:12345}",
    "{SecretName:registry-credentials DefaultMode:0xc000012345}",
    "map[app:goapp pod-template-hash:5f6d8b9c7d]",
    "{Secret:nil ConfigMap:nil}",
    "{Tokens:12 Passed:3}",
    "curl -u $USER:$PASSWORD https://host",
    "curl -u user https://host",
    "mysql -p -u root",
    "docker run -p 8080:80 -u 1000:1000 nginx",
    "docker run --user 1000:1000 nginx",
    "docker login registry -u x",
    "http://127.0.0.1:8080/x?y=a@b",
    "git clone https://github.com/x/y",
    "mailto:someone@example.com, someone@example.com:22",
    'http_requests_total{token=""} 12',
    "rate(login_tokens_total[5m]) > 0.5",
    "sum by (secret) (kube_secret_info)",
    "Set-Cookie headers are not cached",
    "Authorization: the client proves who it is",
    "the Authorization header, a Bearer token",
    'WWW-Authenticate: Bearer realm="https://auth",service="registry"',
    "Authentication-Results: none",
    "<input type='password' name='password' placeholder='Your password'>",
    "<th>password</th><th>email</th>",
    '<a accesskey="s">',
    ".pass { color: green } .token.keyword { color: #07a }",
    "const token = lexer.next();",
    "if token == nil {",
    "token, err := login(ctx, user)",
    'secret := os.Getenv("SECRET")',
    'password := flag.String("password", "", "the password")',
    'type Config struct {\n\tPassword string `json:"password"`\n}',
    "def f(token: str, password: str | None = None) -> str:",
    "required: [username, password, email]",
    '"required": ["username", "password", "email"]',
    "signature: valid",
    "auth: enabled",
    "credentials: include",
    "key-value pairs: a=1, b=2",
    "Sep 28 sshd: Accepted publickey for root from 10.0.0.1 port 22: ED25519 SHA256:abcdefghijk",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    """Names of objects, results of tests, hashes, source code and prose that mention secrets hold none."""
    assert redact.mask(text) == text


ADVERSARIAL = [
    *(
        "a",
        "=",
        "pass",
        "password-",
        "password=a ",
        "password:a",
        '"',
        '\\\\"',
        "\\",
        "{",
        "[a:",
        "map[password:",
        "{A:b ",
        "a:b@",
        "http://a:",
    ),
    *(
        "://",
        "curl a ",
        "curl -u ",
        "echo a | stdin ",
        "cookie: a=b; ",
        "authorization: ",
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJabcdef.",
    ),
    *(
        "eyJabcdef",
        "LS0tLS1CRUdJTi",
        "<b>",
        "</td><td>",
        "kind: Secret\n",
        "password: |\n  a\n",
        '{"kind":"Secret","data":{',
        "\n",
        " ",
        "$2a$10$",
    ),
    *(
        "--from-literal=a=",
        '"password", "value": ',
        '"db_password" {',
        "base64,",
        "abcdef.0123456789abcdef/",
        '("password", "',
        "\x1b[31mpassword",
    ),
]


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_the_time_of_masking_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Four times as much of a text that nearly has a secret takes less than ten times as long: it is not the square."""
    short, long = (_seconds(unit * (characters // len(unit))) for characters in (10_000, 40_000))

    assert long < max(
        10 * short, 0.02
    )  # the least of three runs each, in seconds of the processor; under 0.02 s nothing can be concluded


def _seconds(text: str) -> float:
    def once() -> float:
        began = time.process_time()
        redact.mask(text)
        return time.process_time() - began

    return min(once() for _ in range(3))
