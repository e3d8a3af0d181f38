module flannelscope.local/stub

go 1.21
