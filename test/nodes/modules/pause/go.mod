module drydock.dev/test/nodes/pause

go 1.26.0
