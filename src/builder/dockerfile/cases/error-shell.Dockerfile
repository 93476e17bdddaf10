FROM a
SHELL /bin/bash
