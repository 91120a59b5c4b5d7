import { type SignIn, signInAgain } from "../../functions/core/grant/sign-in/sign-in.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";
import { epochOf } from "../../functions/core/instances/sign-in-epoch.ts";
import type { CalmWorld } from "./calm-world.ts";
import { connector } from "./connector.ts";

/** The user of instance 42 signs in again, now. @param name of the state: each is a sign-in of its own */
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
