module kit.local/modules/receiver

go 1.27.0

tool kit.local/modules/receiver
