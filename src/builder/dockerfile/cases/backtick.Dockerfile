# escape=`
FROM busybox
COPY a\b c\
RUN echo `
  more
ENV X=a` b
