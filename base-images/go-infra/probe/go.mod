module github.com/arc-framework/arc/base-images/go-infra/probe

go 1.26
