export const COMPACTION_QUEUE_NAME = 'dev-kc-compaction-queue'
export const COMPACTION_DLQ_NAME = 'dev-kc-compaction-dlq'
