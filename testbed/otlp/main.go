// The OTLP receiver of the OpenTelemetry collector, with nothing behind it but a file: what tests hold telemetry against.
//
// The first argument is the receiver's configuration as the collector reads it, in JSON; the second is the file, which
// gets one line of JSON for each request: its headers, and what was received as the collector understood it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

type sink struct {
	mutex sync.Mutex
	file  *os.File
}

// Answers only when the line is written: whoever has been answered can look for it.
func (s *sink) write(ctx context.Context, signal string, data []byte) error {
	headers := map[string][]string{}
	metadata := client.FromContext(ctx).Metadata
	for key := range metadata.Keys() {
		headers[key] = metadata.Get(key)
	}
	line, err := json.Marshal(map[string]any{"signal": signal, "headers": headers, "data": json.RawMessage(data)})
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, err = s.file.Write(append(line, '\n'))
	return err
}

func run(config, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	into := &sink{file: file}
	traces, err := consumer.NewTraces(func(ctx context.Context, received ptrace.Traces) error {
		data, err := (&ptrace.JSONMarshaler{}).MarshalTraces(received)
		if err != nil {
			return err
		}
		return into.write(ctx, "traces", data)
	})
	if err != nil {
		return err
	}
	metrics, err := consumer.NewMetrics(func(ctx context.Context, received pmetric.Metrics) error {
		data, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(received)
		if err != nil {
			return err
		}
		return into.write(ctx, "metrics", data)
	})
	if err != nil {
		return err
	}

	factory := otlpreceiver.NewFactory()
	settings := receivertest.NewNopSettings(factory.Type())
	read := factory.CreateDefaultConfig()
	values := map[string]any{}
	if err := json.Unmarshal([]byte(config), &values); err != nil {
		return err
	}
	if err := confmap.NewFromStringMap(values).Unmarshal(&read); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	// One receiver: the second call finds the first one by its configuration.
	first, err := factory.CreateTraces(ctx, settings, read, traces)
	if err != nil {
		return err
	}
	if _, err := factory.CreateMetrics(ctx, settings, read, metrics); err != nil {
		return err
	}
	if err := first.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	<-ctx.Done()
	return first.Shutdown(context.Background())
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: otlp CONFIG FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
