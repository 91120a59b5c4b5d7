import { type SignIn, signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import type { CalmWorld } from "./calm-world.ts";
import { connector } from "./connector.ts";

/** Signs the user of instance 42 in again, now. @param name part of the state, so that each sign-in has its own */
export function signIn(world: CalmWorld, name = "state", changes: Partial<SignIn> = {}): Promise<Instance> {
  const request: SignIn = {
    instanceId: 42,
    organizationId: "org",
    userId: "user",
    connector,
    client: { kind: "own", id: "client", secret: "secret" },
    code: `code-${name}`,
    redirectUri: "https://app.example/cb",
    configuration: {},
    epoch: epochOf(world.now, name),
    ...changes,
  };
  return world.finish(signInAgain(world.deps, world.transients, request, world.call));
}
