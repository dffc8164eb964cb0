module kit.local/panics

go 1.27
