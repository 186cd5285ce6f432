module github.com/arc-framework/arc/services/oracle

go 1.26
