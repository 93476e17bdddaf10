FROM a
RUN --mount=type=bind,a\"b true
