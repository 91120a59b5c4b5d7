import type { Instance } from "../../instances/instance.ts";
import type { InstanceLists } from "../../instances/instance-store.ts";
import { present } from "../../present.ts";

/** All instances of an organization in their current state, including those being deleted; a few at a time. */
export async function* instancesOf(
  instances: Pick<InstanceLists, "listByOrganization" | "getMany">,
  organizationId: string,
  atATime = 10,
): AsyncGenerator<readonly Instance[]> {
  let after: string | undefined;
  do {
    const page = await instances.listByOrganization(organizationId, {
      limit: atATime,
      ...present({ after }),
    });
    if (page.items.length > 0) yield await instances.getMany(page.items.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
}
