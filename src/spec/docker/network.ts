import type { EndpointRequest } from "./container.ts";
import { endpointSettings } from "./container-schema.ts";
import { bool, decodeJson, embedded, list, map, pointer, string, struct } from "./go-json.ts";

const ipamConfig = struct("IPAMConfig", "network.IPAMConfig", {
  Subnet: string,
  IPRange: string,
  Gateway: string,
  AuxiliaryAddresses: map(string),
});

const networkCreate = struct("NetworkCreateRequest", "types.NetworkCreateRequest", {
  Name: string,
  CheckDuplicate: bool,
  ...embedded("NetworkCreate", {
    Driver: string,
    Scope: string,
    EnableIPv6: pointer(bool),
    IPAM: pointer(struct("IPAM", "network.IPAM", { Driver: string, Options: map(string), Config: list(ipamConfig) })),
    Internal: bool,
    Attachable: bool,
    Ingress: bool,
    ConfigOnly: bool,
    ConfigFrom: pointer(struct("ConfigReference", "network.ConfigReference", { Network: string })),
    Options: map(string),
    Labels: map(string),
  }),
});

/** Body of `POST /networks/create`. */
export function decodeNetworkCreate(text: string | undefined) {
  return text === undefined ? networkCreate.zero() : decodeJson(networkCreate, text);
}

const networkConnect = struct("NetworkConnect", "types.NetworkConnect", {
  Container: string,
  EndpointConfig: pointer(endpointSettings),
});

/** Body of `POST /networks/{id}/connect`. */
export function decodeNetworkConnect(text: string): {
  readonly container: string;
  readonly endpoint: EndpointRequest;
} {
  const { Container, EndpointConfig } = decodeJson(networkConnect, text);
  return { container: Container, endpoint: EndpointConfig ?? {} };
}

const networkDisconnect = struct("NetworkDisconnect", "types.NetworkDisconnect", { Container: string, Force: bool });

/** Body of `POST /networks/{id}/disconnect`. */
export function decodeNetworkDisconnect(text: string): { readonly container: string; readonly force: boolean } {
  const { Container, Force } = decodeJson(networkDisconnect, text);
  return { container: Container, force: Force };
}
