# syntax=docker/dockerfile:1
# check=skip=JSONArgsRecommended
ARG VERSION=12 NAME
# VERSION which one
ARG VERSION

# build makes the program
FROM --platform=$BUILDPLATFORM debian:${VERSION} AS Build
WORKDIR /src
COPY --link --chown=1:2 --exclude=*.md --exclude=docs . .
RUN make

from scratch
Copy --from=build --parents /src/out/./bin "/opt/"
COPY ["a b", "c", "/d e/"]
ADD --checksum=sha256:aa --keep-git-dir=true --unpack=false https://x.y/z.git#main:sub /g/
CMD ["/bin/x"]
