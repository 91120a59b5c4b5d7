import { ArnFormat, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import type { Dashboard } from "aws-cdk-lib/aws-cloudwatch";
import { Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
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

/** The dashboard, the alarms, and the topic to which the alarms are sent. */
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

  private createTopic({ alarmEmail, stage }: Settings): Topic {
    // Only alarms of this stage may publish; without this condition, alarms of other accounts could cause
    // e-mails.
    const conditions = {
      StringEquals: { "aws:SourceAccount": this.account },
      ArnLike: {
        "aws:SourceArn": this.formatArn({
          service: "cloudwatch",
          resource: "alarm",
          resourceName: `linkspan-${stage}-*`,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      },
    };
    const alarms = new ServicePrincipal("cloudwatch.amazonaws.com");
    // A separate key, because CloudWatch may not use the default key of SNS (alias/aws/sns).
    // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    const key = new Key(this, "AlarmKey", {
      description: `Linkspan ${stage}: alarms on their way to subscribers`,
      enableKeyRotation: true,
      // The key encrypts no lasting data: a message exists only until it is delivered.
      removalPolicy: RemovalPolicy.DESTROY,
      pendingWindow: Duration.days(7),
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "AllowAlarms",
        effect: Effect.ALLOW,
        principals: [alarms],
        actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
        resources: ["*"],
        conditions,
      }),
    );
    const topic = new Topic(this, "AlarmTopic", { enforceSSL: true, masterKey: key });
    // Needed because the topic has a policy (enforceSSL makes one): then only principals that the policy
    // names may publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: "AllowAlarms",
        effect: Effect.ALLOW,
        principals: [alarms],
        actions: ["sns:Publish"],
        resources: [topic.topicArn],
        conditions,
      }),
    );
    if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail));
    return topic;
  }
}
