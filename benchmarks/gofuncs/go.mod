module gofuncs

go 1.21
