FROM busybox
RUN echo one \
  # a comment within
  && echo two \

  && echo "three \
four" \ 
  && echo five\\
RUN    echo    spaced	out   
