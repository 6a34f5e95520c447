module localaccounts/images

go 1.25.0
