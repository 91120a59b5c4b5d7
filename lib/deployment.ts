import type { Construct } from "constructs";
import { ApiStack } from "./api-stack.ts";
import { DataStack } from "./data-stack.ts";
import { ObservabilityStack } from "./observability-stack.ts";
import { RefreshStack } from "./refresh-stack.ts";
import { readSettings } from "./settings.ts";

/** One deployment of Linkspan: the four stacks of a stage. */
export function linkspan(app: Construct): {
  readonly data: DataStack;
  readonly api: ApiStack;
  readonly refresh: RefreshStack;
  readonly observability: ObservabilityStack;
} {
  const settings = readSettings(app.node);
  const name = (part: string): string => `linkspan-${settings.stage}-${part}`;
  const data = new DataStack(app, name("data"), { settings });
  const api = new ApiStack(app, name("api"), { settings, data });
  const refresh = new RefreshStack(app, name("refresh"), { settings, data });
  const observability = new ObservabilityStack(app, name("observability"), { settings, data, api, refresh });
  return { data, api, refresh, observability };
}
