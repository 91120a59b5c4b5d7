import type { InstanceStore } from "../../functions/core/grant/ports.ts";
import type { Instance } from "../../functions/core/instances/instance.ts";

/** Every instance of an organization, those that are being deleted included. */
export async function* instancesOf(
  instances: Pick<InstanceStore, "listByOrganization" | "getMany">,
  organizationId: string,
): AsyncGenerator<Instance> {
  let after: string | undefined;
  do {
    const page = await instances.listByOrganization(organizationId, {
      limit: 100,
      ...(after === undefined ? {} : { after }),
    });
    yield* await instances.getMany(page.items.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
}
