module kit.local/modules/pause

go 1.27.0

tool kit.local/modules/pause
