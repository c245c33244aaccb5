import { snapshotsExam } from './snapshots-exam.ts'

snapshotsExam('erofs')
