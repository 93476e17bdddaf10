FROM busybox AS base
RUN --mount=target=/b --mount=type=bind,from=base,src=/x,dst=y,rw true
RUN --mount=type=cache,target=/root/.cache,id=c,sharing=locked,mode=0755,uid=1,gid=2,from=base,source=s true
RUN --mount=type=tmpfs,target=/t,size=64m --mount=type=secret,id=key,required --mount=type=secret,target=/k/f,mode=0440 true
RUN --mount=type=secret,id=tok,env=TOKEN --mount=type=ssh,required=true --mount=type=ssh,id=two,target=/s,uid=5 true
RUN --network=none --security=insecure --mount=type=cache,\"target=/a,b\" true
RUN --mount=type=bind,target=$DIR,from=base true
