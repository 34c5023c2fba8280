module dedupreference

go 1.22
