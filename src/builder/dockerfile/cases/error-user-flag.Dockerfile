FROM a
USER --x=1 b
