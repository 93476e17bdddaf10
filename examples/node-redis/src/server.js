import { createServer } from "node:http";
import { Redis } from "./redis.js";

let redis = new Redis(process.env.REDIS_HOST);

async function ask(...words) {
  try {
    return await redis.send(...words);
  } catch {
    redis = new Redis(process.env.REDIS_HOST);
    return redis.send(...words);
  }
}

createServer(async (request, response) => {
  try {
    if (request.url === "/health") response.end(`${await ask("PING")}\n`);
    else response.end(`Visit ${await ask("INCR", "visits")}\n`);
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`);
  }
}).listen(3000, () => console.log("Listening on port 3000"));

process.on("SIGTERM", () => process.exit(0));
