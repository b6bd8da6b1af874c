const version = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const plan = { id: String, steps: Array, version };
const instance = { instanceId: /\.instance-/, runSpecId: /^\// };

/** What each kind of event carries beside its type and time (Marathon §9.2). */
export const eventFields: Readonly<Record<string, object>> = {
  event_stream_attached: { remoteAddress: String },
  event_stream_detached: { remoteAddress: String },
  api_post_event: { clientIp: String, uri: String, appDefinition: { id: String } },
  pod_created_event: { clientIp: String, uri: String },
  pod_updated_event: { clientIp: String, uri: String },
  pod_deleted_event: { clientIp: String, uri: String },
  status_update_event: {
    ...{ slaveId: String, taskId: String, taskStatus: /^TASK_/, message: String, appId: /^\// },
    ...{ host: String, ipAddresses: Array, ports: Array, version },
  },
  instance_changed_event: {
    ...instance,
    condition: String,
    agentId: String,
    host: String,
    runSpecVersion: version,
  },
  instance_health_changed_event: { ...instance, runSpecVersion: version },
  unknown_instance_terminated_event: { ...instance, condition: String },
  app_terminated_event: { appId: /^\// },
  add_health_check_event: { appId: /^\//, version, healthCheck: Object },
  remove_health_check_event: { appId: /^\// },
  failed_health_check_event: { appId: /^\//, taskId: String, healthCheck: Object },
  health_status_changed_event: { appId: /^\//, instanceId: String, version, alive: Boolean },
  unhealthy_instance_kill_event: {
    ...{
      appId: /^\//,
      taskId: String,
      instanceId: String,
      version,
      reason: String,
      host: String,
      slaveId: String,
    },
  },
  group_change_success: { groupId: /^\//, version },
  group_change_failed: { groupId: /^\//, version, reason: String },
  deployment_info: { plan, currentStep: { actions: Array } },
  deployment_step_success: { plan, currentStep: { actions: Array } },
  deployment_step_failure: { plan, currentStep: { actions: Array } },
  deployment_success: { id: String, plan },
  deployment_failed: { id: String, plan },
};

export const everyEvent = { timestamp: version };
