/** The entries that Havre brings along, as their text. */
import busybox from "./busybox.yaml" with { type: "text" };
import debian from "./debian-12.yaml" with { type: "text" };
import debianMinimal from "./debian-12-minimal.yaml" with { type: "text" };
import mariadb from "./mariadb.yaml" with { type: "text" };
import memcached from "./memcached.yaml" with { type: "text" };
import nginx from "./nginx.yaml" with { type: "text" };
import node from "./node.yaml" with { type: "text" };
import phpFpm from "./php-fpm.yaml" with { type: "text" };
import postgres from "./postgres.yaml" with { type: "text" };
import redis from "./redis.yaml" with { type: "text" };

export const BUILT_IN: Readonly<Record<string, string>> = {
  "busybox.yaml": busybox,
  "debian-12.yaml": debian,
  "debian-12-minimal.yaml": debianMinimal,
  "mariadb.yaml": mariadb,
  "memcached.yaml": memcached,
  "nginx.yaml": nginx,
  "node.yaml": node,
  "php-fpm.yaml": phpFpm,
  "postgres.yaml": postgres,
  "redis.yaml": redis,
};
