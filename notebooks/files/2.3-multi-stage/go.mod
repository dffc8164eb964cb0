module kit.local/hello

go 1.27
