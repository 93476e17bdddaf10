FROM busybox
MAINTAINER Ann <ann@example.org>
ENV A=1 B='two words' C="x y" D=e\ f
ENV OLD the rest "of" it
LABEL a.b="c d" "e f"=g
EXPOSE 443 80/udp 8000-8002
USER app:app
VOLUME /a /b
VOLUME ["/c d"]
STOPSIGNAL SIGQUIT
SHELL ["/bin/ash", "-ec"]
ENTRYPOINT exec top -b
CMD
HEALTHCHECK --interval=1m30s --timeout=3s --start-period=500ms --start-interval=1s --retries=3 CMD curl -f http://x/ || exit 1
HEALTHCHECK CMD ["true"]
HEALTHCHECK none
ONBUILD RUN  echo  hi
ONBUILD COPY . /app
