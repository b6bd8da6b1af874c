/**
 * What the next process is told of `show servers state`: who is sick by its checks, so that nobody is sent there until it has asked by
 * itself. Nothing else: whoever was taken away from the one may be back in the other.
 */
export function sickServers(text: string): string {
  const rows = text.split('\n').filter((line) => /^\d+ [bt]k?\d+ /.test(line));
  const sick = rows.filter((row) => {
    const [, , , , , operational, administrative] = row.split(' ');
    return operational === '0' && administrative === '0';
  });
  return `1\n${columns}\n${sick.map((row) => `${row}\n`).join('')}`;
}

const columns =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';
