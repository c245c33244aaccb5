import { driverExam } from './driver-exam.ts'

driverExam('directory')
