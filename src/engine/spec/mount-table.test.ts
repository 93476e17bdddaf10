import { expect, test } from "bun:test";
import { findMount } from "./mount-table.ts";

const TABLE = `\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /srv rw,nosuid,nodev shared:7 master:2 - tmpfs tmpfs rw
31 30 0:26 / /srv/with\\040space ro,noexec - tmpfs tmpfs rw
32 22 0:27 / /srv rw - tmpfs over rw
`;

test.each([
  ["/etc/hosts", "/", true, false],
  ["/srv", "/srv", false, false],
  ["/srv/x", "/srv", false, false],
  ["/srv/with space/deep", "/srv/with space", false, false],
  ["/srvx", "/", true, false],
])("%s is on %s", (path, mountPoint, shared, slave) => {
  expect(findMount(TABLE, path)).toMatchObject({ mountPoint, shared, slave });
});

test("options and propagation are the visible mount's own", () => {
  const withoutLast = TABLE.split("\n").slice(0, 3).join("\n");
  expect(findMount(withoutLast, "/srv/a")).toMatchObject({
    options: ["rw", "nosuid", "nodev"],
    shared: true,
    slave: true,
  });
  expect(findMount("", "/")).toBeUndefined();
});
