module corpus

go 1.27

require github.com/zricethezav/gitleaks/v8 v8.30.1
