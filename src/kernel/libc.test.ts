import { expect, test } from "bun:test";
import { constants } from "node:os";
import { errnoOf } from "../base/mod.ts";
import { systemError } from "./libc.ts";

test("an error carries the name that Node gives its number, where there are two", () => {
  expect(errnoOf(systemError("connect", "x", constants.errno.EAGAIN))).toBe("EAGAIN");
  expect(errnoOf(systemError("setxattr", "x", constants.errno.EOPNOTSUPP))).toBe("ENOTSUP");
  expect(systemError("write", "x", constants.errno.ENOSPC)).toMatchObject({
    kind: "resource-exhausted",
    message: "write x: ENOSPC",
  });
});
