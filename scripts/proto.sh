#!/bin/sh
# Writes src/builder/buildkit/wire from the .proto files beside it. Needs protobuf-compiler and libprotobuf-dev.
set -eu
cd "$(dirname "$0")/.."
plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
npm install --silent --no-save --prefix "$plugins" "@bufbuild/protoc-gen-es@$(node -p 'JSON.parse(require("fs").readFileSync("node_modules/@bufbuild/protobuf/package.json")).version')"
cd src/builder/buildkit/proto
protoc -I. -I"${PROTO_INCLUDE:-/usr/include}" --plugin=protoc-gen-es="$plugins/node_modules/.bin/protoc-gen-es" \
  --es_out=../wire --es_opt=target=ts,import_extension=ts ./*.proto
# Named and imported as every file here is.
cd ../wire
for file in *_pb.ts; do mv "$file" "${file%_pb.ts}.ts"; done
sed -i 's/_pb\.ts"/.ts"/' ./*.ts
