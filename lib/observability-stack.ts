import { Stack } from "aws-cdk-lib";
import type { Dashboard } from "aws-cdk-lib/aws-cloudwatch";
import { Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import type { ApiStack } from "./api-stack.ts";
import { Alarms } from "./constructs/alarms.ts";
import { addDashboard } from "./constructs/dashboard.ts";
import type { DataStack } from "./data-stack.ts";
import type { RefreshStack } from "./refresh-stack.ts";
import type { Settings } from "./settings.ts";
import { stackProps } from "./stack-props.ts";

interface ObservabilityProps {
  readonly settings: Settings;
  readonly data: DataStack;
  readonly api: ApiStack;
  readonly refresh: RefreshStack;
}

/** The dashboard, the alarms, and the topic that they go to. */
export class ObservabilityStack extends Stack {
  readonly topic: Topic;
  readonly alarms: Alarms;
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: ObservabilityProps) {
    super(scope, id, stackProps(id, "dashboard and alarms", props.settings));
    this.topic = this.createTopic(props.settings);
    this.alarms = new Alarms(this, "Alarms", { ...props, topic: this.topic });
    this.dashboard = addDashboard(this, "Dashboard", { ...props, alarms: this.alarms.all });
  }

  private createTopic({ alarmEmail }: Settings): Topic {
    const topic = new Topic(this, "AlarmTopic", { enforceSSL: true });
    // A topic with a policy of its own (enforceSSL makes one) lets nobody publish who is not named in it.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: "AllowAlarms",
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": this.account } },
      }),
    );
    if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail));
    return topic;
  }
}
