module kit.local/measure

go 1.27
