import { expect, test } from "bun:test";
import { readReport } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="1" failures="1" skipped="2" time="0.01">
  <testsuite name="a.test.ts" file="a.test.ts" tests="5" assertions="1" failures="1" skipped="2" time="0.003">
    <testcase name="ok" classname="d" time="0.000004" file="a.test.ts" line="2" assertions="0" />
    <testcase name="bad" classname="d" time="0.001052" file="a.test.ts" line="2" assertions="1"><failure /></testcase>
  </testsuite>
  <testsuite name="empty.test.ts" file="empty.test.ts" tests="0" />
</testsuites>`;

test("counts what passed, failed and was skipped", () => {
  expect(readReport(REPORT, ["a.test.ts"])).toEqual({ passed: 2, failed: 1, skipped: 2, absent: [] });
});

test("a file without a test that ran is a failure", () => {
  expect(readReport(REPORT, ["a.test.ts", "empty.test.ts", "gone.test.ts"])).toMatchObject({
    failed: 3,
    absent: ["empty.test.ts", "gone.test.ts"],
  });
});

test("no report at all fails every file", () => {
  expect(readReport("", ["a.test.ts"])).toMatchObject({ passed: 0, failed: 1 });
});
