module github.com/arc-framework/arc/services/sonic

go 1.26
