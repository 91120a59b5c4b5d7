import type { Instance } from "../../../functions/core/instances/instance.ts";

export const instance: Instance = {
  id: 42,
  organizationId: "org",
  userId: "ann",
  connector: "dropbox",
  name: "My Dropbox",
  tags: ["t1"],
  createdAt: Date.UTC(2017, 5, 6, 21, 29, 33, 987),
  updatedAt: Date.UTC(2017, 5, 6, 21, 29, 33, 987),
  configuration: {
    "oauth.api.key": "client-id",
    "oauth.callback.url": "https://app.example/cb",
    "my.own.key": "kept",
  },
  secretConfigurationKeys: ["oauth.api.secret", "proxy.password"],
  tokenHashes: [{ hash: "hash" }],
  fence: 1,
  version: 1,
  epoch: "000001496784573-x",
  grant: new Uint8Array(),
  enabled: true,
  refreshGroup: "g",
};
