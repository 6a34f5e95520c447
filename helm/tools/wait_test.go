package main

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

func TestAServerThatComesIsFound(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	waited := make(chan error, 1)
	go func() { waited <- server{"postgres", "POSTGRES_DSN", []string{address}}.wait(t.Context(), time.Minute) }()
	if listener, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

func TestOneBrokerOfSeveralIsEnough(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	env := map[string]string{"KAFKA_BROKERS": "127.0.0.1:1, " + listener.Addr().String()}
	kafka, err := serverOf("kafka", func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if err := kafka.wait(t.Context(), time.Minute); err != nil {
		t.Error(err)
	}
}

func TestAServerThatDoesNotComeIsNamedWithTheReasonAndNoSecret(t *testing.T) {
	env := map[string]string{"POSTGRES_DSN": "postgres://accounts:hush@127.0.0.1:1/accounts"}
	postgres, err := serverOf("postgres", func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	err = postgres.wait(t.Context(), 10*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1: connect: connection refused (POSTGRES_DSN says where it is)") {
		t.Errorf("%v", err)
	}
	if strings.Contains(err.Error(), "hush") {
		t.Error("the sentence has the password in it")
	}
}

func TestWhatIsNoAddressIsRefusedWithoutShowingIt(t *testing.T) {
	for name, value := range map[string]string{
		"postgres": "postgres://accounts:hu sh@/accounts", "kafka": "hush",
	} {
		_, err := serverOf(name, func(string) string { return value })
		if !errors.Is(err, errUsage) || strings.Contains(err.Error(), "hu") && strings.Contains(err.Error(), "sh@") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := serverOf("postgres", func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "key dsn") {
		t.Errorf("%v", err)
	}
}

func TestADSNWithoutAPortMeansPostgreSQLsOwn(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://a:b@db/accounts": "db:5432", "postgresql://a@[2001:db8::1]:6000/x?sslmode=disable": "[2001:db8::1]:6000",
	} {
		if got, err := dsnAddress(dsn); err != nil || got != want {
			t.Errorf("%s: %s, %v", dsn, got, err)
		}
	}
}
