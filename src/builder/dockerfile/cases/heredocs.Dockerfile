FROM busybox
RUN <<EOF
set -e
echo $HOME
EOF
RUN <<-'EOF'
	#!/usr/bin/env python3
	print("x")
	EOF
RUN cat <<A - <<B > /out
a
A
b
B
COPY <<one.txt <<"two.txt" src /dst/
$VALUE
one.txt
$VALUE
two.txt
ADD <<-x /x
		tabs
	x
ONBUILD RUN <<E
inner
E
RUN echo "a << b" $((1 << 2))
RUN ["cat", "<<EOF"]
