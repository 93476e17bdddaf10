FROM a
RUN --mont=type=cache true
