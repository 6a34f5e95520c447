package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	// prepareLimit is how long the whole may take, so that an API server that is away fails the job.
	prepareLimit = 90 * time.Second
	// bcryptCost is what auth-connector has for its passwords, too.
	bcryptCost = 12
)

// spec is what the chart wants to be there.
type spec struct {
	// Labels of what is made.
	Labels map[string]string `json:"labels"`
	// Secrets to make if they are missing.
	Secrets []secretSpec `json:"secrets"`
	// Required are Secrets that somebody else makes, with the keys that they must have.
	Required []requirement `json:"required"`
	// Authorities, with the certificates that each signs.
	Authorities []authoritySpec `json:"authorities"`
	// Days that a certificate is valid, and how many before its end it is made anew.
	Days            int `json:"days"`
	RenewBeforeDays int `json:"renewBeforeDays"`
}

type secretSpec struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Values in the order in which they are made: a later one may name an earlier one.
	Values []valueSpec `json:"values"`
}

// valueSpec is one key; exactly one of the other fields says what becomes its value.
type valueSpec struct {
	Key string `json:"key"`
	// Text, in which ${KEY} stands for the value of an earlier key.
	Text string `json:"text,omitempty"`
	// Hex and Base64: so many random bytes, in that form. Hex needs no encoding anywhere.
	Hex    int `json:"hex,omitempty"`
	Base64 int `json:"base64,omitempty"`
	// Prefix of Base64.
	Prefix string `json:"prefix,omitempty"`
	// Bcrypt: the hash of an earlier key's value.
	Bcrypt string `json:"bcrypt,omitempty"`
}

type requirement struct {
	Name string   `json:"name"`
	Keys []string `json:"keys"`
}

func prepareCommand(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("prepare takes one file: %w", errUsage)
	}
	wanted, err := readSpec(args[0])
	if err != nil {
		return err
	}
	api, err := inCluster(os.Getenv, accountDir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, prepareLimit)
	defer cancel()
	return prepare(ctx, api, wanted, time.Now())
}

func readSpec(path string) (*spec, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, errUsage)
	}
	wanted := new(spec)
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(wanted); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, err, errUsage)
	}
	return wanted, nil
}

// prepare makes what is missing, again until the API server answers or the time is over: right after a pod's
// start the network may not know it yet.
func prepare(ctx context.Context, api *cluster, wanted *spec, now time.Time) error {
	var reason error
	for {
		err := prepareOnce(ctx, api, wanted, now)
		var missing *missingError
		if err == nil || errors.As(err, &missing) {
			return err
		}
		// What the end of the time did to a call is no reason, if there is a better one.
		if reason == nil || ctx.Err() == nil {
			reason = err
		}
		if ctx.Err() != nil {
			return reason
		}
		say("again in a second: %v", err)
		select {
		case <-ctx.Done():
			return reason
		case <-time.After(time.Second):
		}
	}
}

func prepareOnce(ctx context.Context, api *cluster, wanted *spec, now time.Time) error {
	var faults []string
	for _, required := range wanted.Required {
		fault, err := checkKeys(ctx, api, required)
		if err != nil {
			return err
		}
		faults = append(faults, fault...)
	}
	for _, made := range wanted.Secrets {
		fault, err := ensureSecret(ctx, api, wanted, made)
		if err != nil {
			return err
		}
		faults = append(faults, fault...)
	}
	if len(faults) > 0 {
		return &missingError{faults}
	}
	for _, authority := range wanted.Authorities {
		if err := ensureAuthority(ctx, api, wanted, authority, now); err != nil {
			return err
		}
	}
	return nil
}

// missingError names everything that somebody has to make before the release can start.
type missingError struct{ faults []string }

func (e *missingError) Error() string { return strings.Join(e.faults, "; ") }

func checkKeys(ctx context.Context, api *cluster, required requirement) ([]string, error) {
	found, err := api.get(ctx, required.Name)
	if errors.Is(err, errNotFound) {
		return []string{fmt.Sprintf("Secret %s is missing (keys: %s)", required.Name, strings.Join(required.Keys, ", "))}, nil
	}
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, key := range required.Keys {
		if len(found.Data[key]) == 0 {
			faults = append(faults, fmt.Sprintf("Secret %s has no key %s", required.Name, key))
		}
	}
	return faults, nil
}

// ensureSecret makes a Secret that is missing, and looks whether one that is there has every key. It changes
// none.
func ensureSecret(ctx context.Context, api *cluster, wanted *spec, made secretSpec) ([]string, error) {
	required := requirement{Name: made.Name}
	for _, value := range made.Values {
		required.Keys = append(required.Keys, value.Key)
	}
	_, err := api.get(ctx, made.Name)
	if err == nil {
		say("Secret %s is there", made.Name)
		return checkKeys(ctx, api, required)
	}
	if !errors.Is(err, errNotFound) {
		return nil, err
	}
	data, err := generate(made.Values)
	if err != nil {
		return nil, fmt.Errorf("Secret %s: %w", made.Name, err)
	}
	err = api.create(ctx, &secret{
		Metadata: metadata{Name: made.Name, Labels: wanted.Labels},
		Type:     made.Type,
		Data:     data,
	})
	if err == nil {
		say("Secret %s made", made.Name)
	}
	return nil, err
}

func generate(values []valueSpec) (map[string][]byte, error) {
	data := map[string][]byte{}
	for _, value := range values {
		made, err := value.generate(data)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", value.Key, err)
		}
		data[value.Key] = made
	}
	return data, nil
}

func (v valueSpec) generate(earlier map[string][]byte) ([]byte, error) {
	switch {
	case v.Hex > 0:
		return []byte(hex.EncodeToString(random(v.Hex))), nil
	case v.Base64 > 0:
		return []byte(v.Prefix + base64.StdEncoding.EncodeToString(random(v.Base64))), nil
	case v.Bcrypt != "":
		return bcrypt.GenerateFromPassword(earlier[v.Bcrypt], bcryptCost)
	case v.Text != "":
		return []byte(os.Expand(v.Text, func(key string) string { return string(earlier[key]) })), nil
	default:
		return nil, errors.New("nothing says what its value is")
	}
}

func random(count int) []byte {
	bytes := make([]byte, count)
	// Never fails: crypto/rand ends the program where the system has no randomness.
	_, _ = rand.Read(bytes)
	return bytes
}
