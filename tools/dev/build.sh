#!/usr/bin/env bash
# verb: build                 the release program: build/porteiro

build_release
say "build/porteiro: $(stat -L -c %s build/porteiro) bytes"
