import { expect, test } from "bun:test";
import type { Project } from "../load/model.ts";
import type { Service } from "../schema/service.ts";
import { containerLabels } from "./labels.ts";

function labelsOf(service: Partial<Service>) {
  const environment = new Map<string, string>();
  const project = { name: "p", directory: "/p", files: [], extensions: {}, environment } as unknown as Project;
  return containerLabels({ project, name: "s", service: service as Service, number: 1, imageId: "" });
}

test("what a service is granted and may reach goes to the engine as labels, beside those it has", () => {
  const labels = labelsOf({
    labels: { "havre.grants": "net-bind, cap:chown" },
    "x-havre": { profile: "hardened", grants: ["write:/var"], egress: ["example.org:443", "10.0.0.0/8"] },
  });
  expect(labels["havre.profile"]).toBe("hardened");
  expect(labels["havre.grants"]).toBe("net-bind cap:chown write:/var egress:example.org:443 egress:10.0.0.0/8");
  expect(labelsOf({ "x-havre": { egress: ["none"] } })["havre.grants"]).toBe("egress:none");
  expect(labelsOf({})["havre.grants"]).toBeUndefined();
});

test("a service whose grants changed is another one", () => {
  const hash = (service: Partial<Service>) => labelsOf(service)["com.docker.compose.config-hash"];
  expect(hash({ "x-havre": { egress: ["any"] } })).not.toBe(hash({ "x-havre": { egress: ["none"] } }));
});
