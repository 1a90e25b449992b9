/** Cassandra's settings: small, quick to start and to stop, for one machine. */

/** Cassandra 5 on Java 17 needs these modules opened; the properties shorten its start and its stop. */
export const CASSANDRA_JVM_ARGUMENTS: readonly string[] = [
  "-Djdk.attach.allowAttachSelf=true",
  "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
  "--add-exports=java.management.rmi/com.sun.jmx.remote.internal.rmi=ALL-UNNAMED",
  "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
  "--add-exports=java.rmi/sun.rmi.server=ALL-UNNAMED",
  "--add-exports=java.sql/java.sql=ALL-UNNAMED",
  "--add-exports=java.base/java.lang.ref=ALL-UNNAMED",
  "--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED",
  "--add-opens=java.base/java.lang.module=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.loader=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.reflect=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.math=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.module=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.util.jar=ALL-UNNAMED",
  "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "--add-opens=java.base/java.io=ALL-UNNAMED",
  "--add-opens=java.base/java.nio=ALL-UNNAMED",
  "--add-opens=java.base/java.lang=ALL-UNNAMED",
  "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
  "--add-opens=java.base/java.util=ALL-UNNAMED",
  "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
  "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
  "-Dio.netty.tryReflectionSetAccessible=true",
  "-Djava.net.preferIPv4Stack=true",
  "-Djava.awt.headless=true",
  "-Dcassandra.skip_wait_for_gossip_to_settle=0",
  "-Dcassandra.ring_delay_ms=0",
  "-Dcassandra.superuser_setup_delay_ms=0",
  "-Dcassandra.load_ring_state=false",
  "-Dcassandra-foreground=yes",
  "-Dcassandra.shutdown_announce_in_ms=0",
  "-Dcassandra.memtable.row_overhead_size=180",
  "-Dcassandra.test.messagingService.nonGracefulShutdown=true",
  "-Dcassandra.size_recorder_interval=0",
  "-XX:+ExitOnOutOfMemoryError",
];

export function cassandraYaml(port: number, storagePort: number, dataFolder: string): string {
  const folder = (name: string) => JSON.stringify(`${dataFolder}/${name}`);
  return `cluster_name: updraft
num_tokens: 1
initial_token: 0
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
native_transport_port: ${port}
storage_port: ${storagePort}
ssl_storage_port: ${storagePort}
start_native_transport: true
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:${storagePort}"
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
data_file_directories: [${folder("data")}]
commitlog_directory: ${folder("commitlog")}
saved_caches_directory: ${folder("saved_caches")}
hints_directory: ${folder("hints")}
cdc_raw_directory: ${folder("cdc_raw")}
commitlog_sync: periodic
commitlog_sync_period: 1000ms
commitlog_segment_size: 4MiB
commitlog_total_space: 64MiB
memtable_heap_space: 64MiB
memtable_offheap_space: 64MiB
memtable_allocation_type: heap_buffers
key_cache_size: 4MiB
row_cache_size: 0MiB
counter_cache_size: 1MiB
file_cache_size: 32MiB
networking_cache_size: 16MiB
concurrent_reads: 8
concurrent_writes: 8
concurrent_counter_writes: 4
concurrent_compactors: 1
concurrent_materialized_view_writes: 4
auto_snapshot: false
incremental_backups: false
hinted_handoff_enabled: false
disk_optimization_strategy: ssd
disk_access_mode: standard
credentials_validity: 2s
roles_validity: 2s
permissions_validity: 2s
`;
}

export const LOGBACK = `<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} %logger{0} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
`;
