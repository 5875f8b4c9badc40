// Package usage says what a process has used.
package usage

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Usage of the process: CPU time, user and system, in milliseconds; memory in bytes.
type Usage struct {
	CPU  float64 `json:"cpu"`
	RSS  int64   `json:"rss"`
	Peak int64   `json:"peak"`
}

// Now measures it.
func Now() Usage {
	return Usage{CPU(), status("VmRSS"), status("VmHWM")}
}

// CPU time of the process in milliseconds.
func CPU() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e6
}

// ResetPeak lets the peak begin at what is resident now.
func ResetPeak() {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		panic(err)
	}
}

func status(field string) int64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), field+":"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}
