import { HavreError } from "../../../base/mod.ts";
import type { Handler, Route } from "../exchange.ts";

const notManager: Handler = () => {
  throw new HavreError(
    "unavailable",
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
};
const notPart: Handler = () => {
  throw new HavreError("unavailable", "This node is not part of a swarm");
};
const noSwarm: Handler = () => {
  throw new HavreError("not-implemented", "Swarm mode is not implemented yet");
};

/** Answers as a dockerd that is not a manager. */
export function swarmRoutes(): readonly Route[] {
  const objects = ["services", "nodes", "tasks", "secrets", "configs"].flatMap((noun): Route[] => [
    { method: "GET", path: `/${noun}`, handle: notManager },
    { method: "GET", path: `/${noun}/{id}`, handle: notManager },
    { method: "POST", path: `/${noun}/create`, handle: notManager },
    { method: "POST", path: `/${noun}/{id}/update`, handle: notManager },
    { method: "GET", path: `/${noun}/{id}/logs`, handle: notManager },
    { method: "DELETE", path: `/${noun}/{id}`, handle: notManager },
  ]);
  return [
    ...objects,
    { method: "GET", path: "/swarm", handle: notManager },
    { method: "GET", path: "/swarm/unlockkey", handle: notManager },
    { method: "POST", path: "/swarm/update", handle: notManager },
    { method: "POST", path: "/swarm/unlock", handle: notManager },
    { method: "POST", path: "/swarm/leave", handle: notPart },
    { method: "POST", path: "/swarm/init", handle: noSwarm },
    { method: "POST", path: "/swarm/join", handle: noSwarm },
  ];
}
